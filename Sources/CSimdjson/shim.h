// simdjson is C++; CJSONTape wraps it in C. This module only carries the link flags.
