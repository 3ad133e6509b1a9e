// SPDX-License-Identifier: MIT
#include <brood/wire/exception_record.hpp>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <filesystem>
#include <new>
#include <regex>
#include <stdexcept>
#include <string>
#include <system_error>

#include <brood/base/error.hpp>

#include "fuzz/fuzz.hpp"

// Any bytes, read as the record of an exception: there is always one to throw, a
// RemoteError or brood's own, and all that it says can be read.

namespace {

using namespace brood;

struct Derived : std::out_of_range {
  using std::out_of_range::out_of_range;
};

template <typename Thrown>
testing::Bytes record_of(const Thrown& thrown) {
  wire::Buffer out;
  wire::encode_exception(out, std::make_exception_ptr(thrown));
  return testing::bytes_of(out);
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  const auto code = std::make_error_code(std::errc::no_such_file_or_directory);
  testing::write_seeds({record_of(std::runtime_error("what")), record_of(std::out_of_range("")),
                        record_of(Derived("derived")), record_of(std::bad_alloc()), record_of(5),
                        record_of(std::system_error(code, "system")),
                        record_of(std::filesystem::filesystem_error("files", "/a", "/b", code)),
                        record_of(std::regex_error(std::regex_constants::error_brack)),
                        record_of(ShipError("cannot ship")), record_of(ValueError("value"))});
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const testing::Input input(data, size);
  const std::exception_ptr decoded = wire::decode_exception(input.bytes(), 7);
  testing::require(decoded != nullptr);
  try {
    std::rethrow_exception(decoded);
  } catch (const RemoteError& remote) {
    std::string(remote.what());
    std::string(remote.type_name());
    remote.backtrace();
  } catch (const Error& own) {
    std::string(own.what());
  }
  try {
    std::rethrow_exception(decoded);
  } catch (const std::exception& thrown) {
    std::string(thrown.what());
  }
  return 0;
}
