"""What Streamlit needs to let people sign in, from the desk's own settings."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from app.sign_in.cookie import Cookies
from core.access.cookie_secret import kept_cookie_secret
from core.settings import Settings

# `prompt`: on a PC of several people the provider may still know the one before, and must not let the next one in as
# that person. The time-out is for each answer of the provider; the door has one for all of them.
CLIENT = {"scope": "openid profile email", "prompt": "login", "timeout": 6.0}


# Takes the secret that signs what is kept between leaving for the provider and coming back, perhaps to another server.
ENVIRONMENT = "STREAMLIT_SERVER_COOKIE_SECRET"


@dataclass(frozen=True, slots=True)
class SignInSetup:
    """How people sign in here.

    Attributes:
        secrets: Streamlit's, instead of a file.
        config: Streamlit's.
        cookies: how they are signed and sent.
    """

    secrets: Mapping[str, Any]
    config: Mapping[str, Any]
    cookies: Cookies


def sign_in_setup(settings: Settings) -> SignInSetup | None:
    """How people sign in, where the site has set that.

    Raises:
        AccessError: there is no secret to sign cookies with.
    """
    if not (settings.oidc_metadata_url and settings.oidc_client_secret and settings.public_url):
        return None
    given = settings.cookie_secret
    secret = given.get_secret_value() if given else kept_cookie_secret(settings.data_dir)
    auth = {
        "redirect_uri": f"{settings.public_url}/oauth2callback",
        "cookie_secret": secret,
        "client_id": settings.oidc_client_id,
        "client_secret": settings.oidc_client_secret.get_secret_value(),
        "server_metadata_url": settings.oidc_metadata_url,
        "client_kwargs": dict(CLIENT),
    }
    parts = urlsplit(settings.public_url)
    # Streamlit lets only pages of this host speak with it, and would ask a server elsewhere for its own address.
    config = {"browser.serverAddress": parts.hostname}
    cookies = Cookies(secret, parts.scheme == "https", settings.roles_claim, settings.role_names)
    return SignInSetup({"auth": auth}, config, cookies)
