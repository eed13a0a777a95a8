// Writes a model that draws, of random weights, and its small autoencoder.
//
// usage: tiny_diffusion_model MODEL.safetensors TAESD.safetensors
#include "engines/diffusion/tiny_diffusion_model.h"

#include <cstdio>

int main(int count, char** arguments) {
  if (count != 3) {
    std::fputs("usage: tiny_diffusion_model MODEL.safetensors TAESD.safetensors\n", stderr);
    return 2;
  }
  using craton::engines::diffusion::TinyDiffusionModel;
  TinyDiffusionModel::write_model(arguments[1]);
  TinyDiffusionModel::write_taesd(arguments[2]);
}
