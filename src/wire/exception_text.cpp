// SPDX-License-Identifier: MIT
#include "wire/exception_text.hpp"

#include <cxxabi.h>

#include <typeinfo>

#include <brood/base/error.hpp>
#include <brood/wire/type_name.hpp>

namespace brood::wire {

std::string describe_exception(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const RemoteError& remote) {
    return remote.type_name() + ": " + remote.what();
  } catch (const std::exception& thrown) {
    return type_name(typeid(thrown)) + ": " + text_or_nothing(thrown.what());
  } catch (const std::string& text) {
    return "std::string: " + text;
  } catch (const char* text) {
    return std::string("const char*: ") + text_or_nothing(text);
  } catch (...) {
    return type_name(*abi::__cxa_current_exception_type());
  }
}

}  // namespace brood::wire
