"""Who sits at a page: the way in through an OpenID provider, the session, and what a role opens."""
