"""The API's side of finops.access: the same rules, for whoever a token or a session stands for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from finops import access

if TYPE_CHECKING:  # views read their permissions from the settings
    from rest_framework.views import APIView


class MayCall(BasePermission):
    message = "Your role does not include this. Ask an administrator."

    def has_permission(self, request: Request, view: APIView) -> bool:
        match = request.resolver_match
        return access.allows(match.view_name if match else "", request.method or "", request.user)
