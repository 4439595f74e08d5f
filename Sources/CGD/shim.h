// GD for pictures, and libpng, which GD itself reads PNG with: GD lets it write its warnings to standard error, libpng's simplified reader writes nothing.
#include <gd.h>
#include <png.h>
