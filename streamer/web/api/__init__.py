"""The operations of the API, by what they are of: each module has its ``ROUTES``."""
