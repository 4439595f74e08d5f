// A C face for simdjson's document tape, so that Swift can read a parsed JSON text without a call per value.
//
// The tape is an array of 64-bit words: the top 8 bits are a tag, the low 56 bits its payload. The layout is simdjson's
// own and documented there (doc/tape.md): 'r' root, '{' '}' '[' ']' containers, '"' string (payload: offset into the
// string buffer, where a 32-bit length precedes the bytes), 'l' int64 and 'u' uint64 and 'd' double (value in the next
// word), 't' 'f' 'n' literals. A container's opening word carries the index just past its end in the low 32 bits.
#ifndef CJSONTAPE_H
#define CJSONTAPE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct ConurbJSONParser ConurbJSONParser;

typedef struct {
    const uint64_t *words;   // valid until the parser's next use
    const uint8_t *strings;  // valid until the parser's next use
    const char *error;       // NULL when the text is valid JSON, else simdjson's English reason (static storage)
    int too_deep;            // 1 when the error is that nesting passes the limit
} ConurbJSONTape;

// A parser that refuses nesting deeper than `depth_max`. NULL when memory is short.
ConurbJSONParser *conurb_json_parser_create(size_t depth_max);
void conurb_json_parser_destroy(ConurbJSONParser *parser);

// Parses `count` bytes of UTF-8. The bytes need no padding and are not kept.
ConurbJSONTape conurb_json_parse(ConurbJSONParser *parser, const uint8_t *bytes, size_t count);

#ifdef __cplusplus
}
#endif
#endif
