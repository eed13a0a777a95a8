// An open file, closed when it goes.
#pragma once

#include <unistd.h>

namespace craton {

class Descriptor {
 public:
  /// Takes what open() gave, also -1.
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return number_; }

 private:
  int number_;
};

}  // namespace craton
