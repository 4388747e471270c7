"""The catalogue of the tables that archives are: which metadata of each counts."""

from django.contrib.postgres.fields import ArrayField
from django.db import models


class IcebergTable(models.Model):
    """A table of Apache Iceberg, one for each policy and place: the pointer to its metadata.

    `folder` is where it lies in the place, `location` the same as other programs write it. Its
    metadata are `metadata/v{version}.metadata.json` there, 0 where none is yet, with this SHA-256.
    A version is only ever followed by one that is made of it. Other programs read the catalogue by
    views of the schema `lifecycle`, as they name them (`purge.iceberg.views`).
    """

    id = models.BigAutoField(primary_key=True)
    name = models.CharField(max_length=60, unique=True, help_text="as other programs call it")
    policy = models.CharField(max_length=40)
    place = models.CharField(max_length=300, help_text="the folder or bucket")
    folder = models.CharField(max_length=300)
    location = models.TextField()
    version = models.BigIntegerField(default=0)
    previous = models.BigIntegerField(default=0, help_text="the version before")
    sha256 = models.CharField(max_length=64, blank=True)
    committed_at = models.DateTimeField(null=True)
    leaving = ArrayField(models.TextField(), default=list, help_text="objects that are to go")

    class Meta:
        db_table = "purge_iceberg_table"
        default_permissions = ("view",)
        constraints = (
            models.UniqueConstraint(fields=("place", "folder"), name="purge_iceberg_table_once"),
        )

    def __str__(self) -> str:
        return self.name

    @property
    def metadata(self) -> str:
        """The folder of its metadata, with a slash."""
        return f"{self.folder}metadata/"

    @property
    def data(self) -> str:
        """The folder of its data files and the archives' manifests, with a slash."""
        return f"{self.folder}data/"

    def metadata_name(self, version: int | None = None) -> str:
        """The name of its metadata, or of another version's, in the place."""
        return f"{self.metadata}v{self.version if version is None else version}.metadata.json"
