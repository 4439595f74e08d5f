#include "CJSONTape.h"

#include <new>
#include <simdjson.h>

struct ConurbJSONParser {
    simdjson::dom::parser parser;
    size_t depth_max;
};

extern "C" ConurbJSONParser *conurb_json_parser_create(size_t depth_max) {
    auto *created = new (std::nothrow) ConurbJSONParser;
    if (created != nullptr) created->depth_max = depth_max;
    return created;
}

extern "C" void conurb_json_parser_destroy(ConurbJSONParser *parser) { delete parser; }

extern "C" ConurbJSONTape conurb_json_parse(ConurbJSONParser *parser, const uint8_t *bytes, size_t count) {
    ConurbJSONTape tape = {nullptr, nullptr, nullptr, 0};
    // `allocate` fixes the depth limit as well as the capacity; it is a no-op when both already suffice.
    if (parser->parser.capacity() < count || parser->parser.max_depth() != parser->depth_max) {
        auto allocated = parser->parser.allocate(count < 4096 ? 4096 : count, parser->depth_max);
        if (allocated) {
            tape.error = simdjson::error_message(allocated);
            return tape;
        }
    }
    auto parsed = parser->parser.parse(bytes, count, true).error();
    if (parsed) {
        tape.error = simdjson::error_message(parsed);
        tape.too_deep = parsed == simdjson::DEPTH_ERROR ? 1 : 0;
        return tape;
    }
    tape.words = parser->parser.doc.tape.get();
    tape.strings = parser->parser.doc.string_buf.get();
    return tape;
}
