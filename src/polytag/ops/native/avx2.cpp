#pragma GCC target("avx2,fma")
#include "native.h"
#include "vector_avx2.h"

namespace {
#include "scan.h"
}

extern const Kernels AVX2 = {forward, backward};
