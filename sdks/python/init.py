"""Client of spot-api. Begin with connect(); the functions are in spot_api_client.api, the types in spot_api_client.models."""

from .client import AuthenticatedClient, Client
from .connection import SpotApiError, connect, wait_until_ready

__all__ = ["AuthenticatedClient", "Client", "SpotApiError", "connect", "wait_until_ready"]
