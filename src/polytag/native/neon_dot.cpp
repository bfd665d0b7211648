#include "memory.h"
#include "native.h"

#if defined(__aarch64__)
#include "vector_neon.h"
#include "whole_neon.h"

namespace {
#include "product.h"
#include "tag.h"
#include "low.h"
#include "int8.h"

typedef Registers<Int8> LowInt8;
}

extern const Tagging NEON_DOT_INT8 = {LowInt8::pack, gates<LowInt8>, states<LowInt8>, project<LowInt8>};
#endif
