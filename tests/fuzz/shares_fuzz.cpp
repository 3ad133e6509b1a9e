// SPDX-License-Identifier: MIT
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include <brood/base/error.hpp>
#include <brood/share/shared.hpp>
#include <brood/share/shared_vector.hpp>
#include <brood/wire/decode.hpp>
#include <brood/wire/encode.hpp>

#include "fuzz/fuzz.hpp"

// Any bytes, decoded as shared values, which may be in them or be referred to: a
// value or an error, and what is in it can be read.

namespace {

using namespace brood;
using Map = std::map<std::string, std::vector<int>>;

struct Flat {
  std::int32_t number;
  bool truth;
};

struct Everything {
  shared_vector<double> numbers;
  Shared<Map> map;
  Shared<std::string> text;
  Shared<std::vector<Flat>> flats;
};

const Everything& example() {
  static const Everything made{shared_vector<double>{1, 2, 3}, share(Map{{"a", {1, 2}}}),
                               share("text"), share(std::vector<Flat>{{1, true}, {2, false}})};
  return made;
}

// By value, or by name as a task's arguments.
testing::Bytes written(wire::Kept* kept) {
  wire::Buffer out;
  out.keep_in(kept);
  wire::encode(out, example());
  return testing::bytes_of(out);
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  wire::Kept kept;
  testing::write_seeds({written(nullptr), written(&kept)});
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const testing::Input input(data, size);
  try {
    wire::Reader in(input.bytes());
    const auto value = wire::decode<Everything>(in);
    double sum = 0;
    for (const double number : value.numbers) sum += number;
    if (value.map) sum += static_cast<double>(value.map->size());
    if (value.text) sum += static_cast<double>(value.text->size());
    if (value.flats) {
      for (const Flat& flat : static_cast<std::span<const Flat>>(value.flats)) {
        sum += flat.truth ? flat.number : 0;
      }
    }
    const volatile double kept = sum;
    static_cast<void>(kept);
  } catch (const Error&) {
    return 0;
  }
  return 0;
}
