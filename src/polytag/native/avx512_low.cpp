#include "memory.h"
#include "native.h"

#if defined(__x86_64__)
#include "vector_avx512.h"
#include "whole_avx512.h"

namespace {
#include "product.h"
#include "tag.h"
#include "scan.h"
#include "low.h"
#include "int8.h"
#include "bfloat16.h"
#include "pairs.h"

typedef Registers<Bfloat16> LowBfloat16;
typedef Registers<Int8> LowInt8;
typedef Exact<Registers<Bfloat16>> TrainingBfloat16;
}

extern const Tagging AVX512_BFLOAT16 = {LowBfloat16::pack, gates<LowBfloat16>, states<LowBfloat16>, project<LowBfloat16>};
extern const Tagging AVX512_INT8 = {LowInt8::pack, gates<LowInt8>, states<LowInt8>, project<LowInt8>};
extern const Training AVX512_BFLOAT16_TRAINING = {
    TrainingBfloat16::FILL, pack_pairs, forward<TrainingBfloat16>, backward<TrainingBfloat16>, multiply<TrainingBfloat16>};
#endif
