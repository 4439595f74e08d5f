#include <zlib.h>

// `inflateInit2` is a macro that Swift does not import.
// 15 + 32: the largest window, with a gzip or zlib header told apart by itself.
static inline int conurb_gunzip_init(z_stream *stream) { return inflateInit2(stream, 15 + 32); }
