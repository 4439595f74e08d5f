// The reentrant C API of GEOS (every function that ends in _r takes a context handle).
#define GEOS_USE_ONLY_R_API
#include <geos_c.h>
