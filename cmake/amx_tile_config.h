// Forced into llama.cpp's C++ sources. g++ 12 tells its optimizer that ldtilecfg reads 8 bytes where it
// reads 64, so that the stores of most of ggml's tile configuration are dropped and the instruction
// faults: every prompt crashed on a processor with AMX.
// Source: amxtileintrin.h of g++ 12, _tile_loadconfig.
#pragma once
#if defined(__GNUC__) && !defined(__clang__) && defined(__AMX_TILE__)
#include <immintrin.h>
#undef _tile_loadconfig
#define _tile_loadconfig(config) \
  __asm__ volatile("ldtilecfg %0" : : "m"(*reinterpret_cast<const unsigned char(*)[64]>(config)))
#endif
