"""Read by schemathesis (test_schemathesis.py): how bodies are sent of media types that it does not know."""

import schemathesis


@schemathesis.serializer("application/vnd.sqlite3")
def as_bytes(context, value):
    return value if isinstance(value, bytes) else str(value).encode()
