"""The settings of the small site; `tests.faults.world` says where its database and store are."""

SECRET_KEY = "a site of the tests, on a server of their own"
INSTALLED_APPS = [
    "django.contrib.contenttypes", "django.contrib.auth", "django.contrib.postgres",
    "pgtrigger", "lifecycle", "purge", "tests.faults.host",
]  # fmt: skip
MIGRATION_MODULES = {"lifecycle": "migrations.lifecycle", "purge": "migrations.purge"}
DATABASES = {"default": {"ENGINE": "django.db.backends.postgresql", "NAME": "none"}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
STORAGES = {"default": {"BACKEND": "storages.backends.s3.S3Storage"}}
AWS_S3_ADDRESSING_STYLE = "path"
AWS_S3_REGION_NAME = "us-east-1"
AWS_S3_FILE_OVERWRITE = False
LIFECYCLE_THROTTLE = None
LOGGING_CONFIG = None
EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
EMBEDDED_DATABASE = True  # for tests.purge.worker.proxy: the server has a socket
AWS_STORAGE_BUCKET_NAME = "none"  # a schedule has its own
