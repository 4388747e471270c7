"""The host's own admin: nothing here knows of policies."""

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin

from .models import EmailSuppression, PendingRegistration, User, UserOTP


@admin.register(PendingRegistration)
class PendingRegistrationAdmin(admin.ModelAdmin):
    list_display = ("email", "created_at", "otp_expires_at", "grace")
    list_filter = ("otp_expires_at",)
    search_fields = ("email",)
    readonly_fields = ("created_at",)


@admin.register(UserOTP)
class UserOTPAdmin(admin.ModelAdmin):
    list_display = ("email", "created_at", "expires_at", "used_at", "grace")
    list_filter = ("used_at",)
    search_fields = ("email",)
    readonly_fields = ("created_at",)
    exclude = ("code_hash",)


@admin.register(User)
class DemoUserAdmin(UserAdmin):
    list_display = ("username", "email", "email_verified_at", "date_joined", "last_login")
    fieldsets = (*(UserAdmin.fieldsets or ()), ("Address", {"fields": ("email_verified_at",)}))


@admin.register(EmailSuppression)
class EmailSuppressionAdmin(admin.ModelAdmin):
    list_display = ("address", "kind", "count", "last_bounce_at", "active", "deactivated_at")
    list_filter = ("kind", "active")
    search_fields = ("address",)
