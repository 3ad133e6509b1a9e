// SPDX-License-Identifier: MIT
#include <brood/wire/decode.hpp>
#include <brood/wire/encode.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <unordered_map>
#include <variant>
#include <vector>

#include <brood/base/error.hpp>

// Any bytes, decoded as a value of nearly every kind: libFuzzer looks for those
// that give anything but a value or a ShipError. A value must be writable again,
// and read back it must be written in the same way.

namespace {

enum class Switch : bool { off, on };

struct Flat {
  std::int32_t number;
  bool truth;
  Switch toggle;
  double fraction;
};

struct Tree {
  std::string name;
  std::vector<Tree> children;
  std::unique_ptr<Tree> partner;
};

struct Taught {
  std::vector<std::string> words;
  std::map<int, Flat> flats;
  template <typename Archive>
  void serialize(Archive& archive) {
    archive(words, flats);
  }
};

struct Everything {
  std::vector<Flat> flats;
  std::vector<bool> bits;
  std::string text;
  std::u16string wide;
  std::optional<std::string> maybe;
  std::variant<std::monostate, int, std::vector<std::string>, Flat> either;
  std::tuple<char, std::string, bool> parts;
  std::map<std::string, std::set<int>> map;
  std::unordered_map<int, std::unique_ptr<int>> hashed;
  std::deque<std::array<std::string, 2>> deque;
  Tree tree;
  std::vector<Taught> taught;
  std::vector<std::tuple<>> nothings;
  char code[4];
};

std::vector<std::byte> written(const Everything& value) {
  brood::wire::Buffer out;
  brood::wire::encode(out, value);
  return {out.view().begin(), out.view().end()};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    brood::wire::Reader in({reinterpret_cast<const std::byte*>(data), size});
    const auto value = brood::wire::decode<Everything>(in);
    const std::vector<std::byte> first = written(value);
    brood::wire::Reader again(first);
    const auto copy = brood::wire::decode<Everything>(again);
    if (!again.at_end() || written(copy).size() != first.size()) std::abort();
  } catch (const brood::ShipError&) {
    return 0;
  }
  return 0;
}
