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

#include "fuzz/fuzz.hpp"

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

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  Everything some;
  some.flats = {{1, true, Switch::on, 0.5}, {2, false, Switch::off, 1.5}};
  some.bits = {true, false, true};
  some.text = "text";
  some.wide = u"wide";
  some.maybe = "maybe";
  some.either = std::vector<std::string>{"a", "bb"};
  some.map = {{"key", {1, 2, 3}}};
  some.hashed.emplace(7, std::make_unique<int>(8));
  some.deque = {{"one", "two"}};
  some.tree.children.push_back({"child", {}, std::make_unique<Tree>()});
  some.taught = {{{"word"}, {{1, {3, true, Switch::on, 2.5}}}}};
  some.nothings.resize(3);
  brood::testing::write_seeds({written(Everything{}), written(some)});
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const brood::testing::Input input(data, size);
  try {
    brood::wire::Reader in(input.bytes());
    const auto value = brood::wire::decode<Everything>(in);
    const std::vector<std::byte> first = written(value);
    brood::wire::Reader again(first);
    const auto copy = brood::wire::decode<Everything>(again);
    brood::testing::require(again.at_end() && written(copy).size() == first.size());
  } catch (const brood::ShipError&) {
    return 0;
  }
  return 0;
}
