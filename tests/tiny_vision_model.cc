// Writes a language model and a projector for it, both tiny and of random weights.
//
// usage: tiny_vision_model LANGUAGE.gguf PROJECTOR.gguf
#include "engines/llama/tiny_vision_model.h"

#include <cstdio>

int main(int count, char** arguments) {
  if (count != 3) {
    std::fputs("usage: tiny_vision_model LANGUAGE.gguf PROJECTOR.gguf\n", stderr);
    return 2;
  }
  craton::engines::llama::write_tiny_language_model(arguments[1], "llama",
                                                    {"<|im_start|>", "<|im_end|>", "\n"});
  craton::engines::llama::write_tiny_projector(arguments[2], "pixtral");
}
