"""Media types that schemathesis does not know by itself: their bodies are bytes."""

import schemathesis

for media_type in ("application/cose", "application/cbor-seq"):
    schemathesis.serializer.alias(media_type, "application/octet-stream")


@schemathesis.deserializer("application/cose", "application/cbor", "application/pdf", "application/octet-stream")
def as_text(ctx, response):
    # The schema says "a binary string of at least one byte".
    return response.content.decode("latin-1")
