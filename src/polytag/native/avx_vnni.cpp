#include "memory.h"
#include "native.h"

#if defined(__x86_64__)
#include "vector_avx2.h"
#include "whole_avx2.h"

namespace {
#include "product.h"
#include "tag.h"
#include "low.h"
#include "int8.h"

typedef Registers<Int8> LowInt8;
}

extern const Tagging AVX_VNNI_INT8 = {LowInt8::pack, gates<LowInt8>, states<LowInt8>, project<LowInt8>};
#endif
