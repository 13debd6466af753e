"""Anthropic's protocols, and the services that speak them."""
