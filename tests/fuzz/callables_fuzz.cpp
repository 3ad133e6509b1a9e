// SPDX-License-Identifier: MIT
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include <brood/base/error.hpp>
#include <brood/wire/callable.hpp>
#include <brood/wire/callable_label.hpp>
#include <brood/wire/code_ref.hpp>

#include "fuzz/fuzz.hpp"

// Any bytes, decoded as a callable of each kind: a callable or a ShipError. None is
// called: a worker believes its parent.

namespace {

using namespace brood;

struct Thing {
  int number = 0;
  int plain(int x) { return x + number; }
  virtual int virtually(int x) { return x; }
  virtual ~Thing() = default;
};
struct Encodable {
  std::vector<std::string> words;
  int operator()(int x) const { return x + static_cast<int>(words.size()); }
};

int function(int x) { return x; }

template <typename F>
testing::Bytes encoded(std::uint8_t kind, const F& f) {
  wire::Buffer out;
  wire::encode_callable<F>(out, f);
  testing::Bytes bytes = testing::bytes_of(out);
  bytes.insert(bytes.begin(), 16, std::byte{kind});
  return bytes;
}

const auto closure = [k = 4, d = 0.5](int x) { return x * d + k; };
const auto empty = [](int x) { return x; };
const auto bound = task(&function, std::string("bound"), std::vector<int>{1, 2});
const auto vouched = values(closure);

template <typename F>
void read(wire::Reader& in) {
  const F f = wire::decode_callable<F>(in);
  wire::Buffer out;
  if constexpr (wire::callable_kind_v<F> != wire::CallableKind::bytes) {
    wire::encode_callable<F>(out, f);
  }
}

template <typename F>
void name(std::span<const std::byte> bytes) {
  wire::Reader in(bytes);
  const wire::CallableLabel& label = wire::callable_label<F>;
  wire::name_of(*label.type, wire::code_of(label, in));
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  testing::write_seeds(
      {encoded(0, &function), encoded(1, &Thing::plain), encoded(1, &Thing::virtually),
       encoded(2, &Thing::number), encoded(3, closure), encoded(4, empty), encoded(5, bound),
       encoded(6, vouched), encoded(7, Encodable{{"a", "b"}}), encoded(8, &function)});
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 16) return 0;
  const testing::Input input(data, size);
  const auto bytes = input.bytes().subspan(16);
  wire::Reader in(bytes);
  try {
    switch (data[0]) {
      case 0: read<int (*)(int)>(in); break;
      case 1: read<int (Thing::*)(int)>(in); break;
      case 2: wire::decode_callable<int Thing::*>(in); break;
      case 3: read<std::remove_const_t<decltype(closure)>>(in); break;
      case 4: read<std::remove_const_t<decltype(empty)>>(in); break;
      case 5: read<std::remove_const_t<decltype(bound)>>(in); break;
      case 6: read<std::remove_const_t<decltype(vouched)>>(in); break;
      case 7: read<Encodable>(in); break;
      default: wire::read_code(in); break;
    }
  } catch (const ShipError&) {
    // What it was meant to be.
  }
  try {
    name<int (*)(int)>(bytes);
    name<int (Thing::*)(int)>(bytes);
  } catch (const ShipError&) {
    // No name.
  }
  return 0;
}
