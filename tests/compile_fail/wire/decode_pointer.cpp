// SPDX-License-Identifier: MIT
#include <brood/wire/decode.hpp>

#include <mutex>

void receive(brood::wire::Reader& in) { brood::wire::decode<std::mutex*>(in); }
