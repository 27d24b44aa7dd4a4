"""`oauthcore doctor`: what it finds, and what it does not."""
