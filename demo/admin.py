"""The host's own admin; the mixin shows what each row is, and links to its story."""

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin

from lifecycle.admin import LifecycleAdminMixin

from .models import EmailSuppression, PendingRegistration, User, UserOTP


@admin.register(PendingRegistration)
class PendingRegistrationAdmin(LifecycleAdminMixin, admin.ModelAdmin):
    list_display = ("email", "created_at", "otp_expires_at", "grace")
    list_filter = ("otp_expires_at",)
    search_fields = ("email",)
    readonly_fields = ("created_at",)


@admin.register(UserOTP)
class UserOTPAdmin(LifecycleAdminMixin, admin.ModelAdmin):
    list_display = ("email", "created_at", "expires_at", "used_at", "grace")
    list_filter = ("used_at",)
    search_fields = ("email",)
    readonly_fields = ("created_at",)
    exclude = ("code_hash",)


@admin.register(User)
class DemoUserAdmin(LifecycleAdminMixin, UserAdmin):
    list_display = ("username", "email", "email_verified_at", "date_joined", "last_login")
    fieldsets = (*(UserAdmin.fieldsets or ()), ("Address", {"fields": ("email_verified_at",)}))


@admin.register(EmailSuppression)
class EmailSuppressionAdmin(LifecycleAdminMixin, admin.ModelAdmin):
    list_display = ("address", "kind", "count", "last_bounce_at", "active", "deactivated_at")
    list_filter = ("kind", "active")
    search_fields = ("address",)
