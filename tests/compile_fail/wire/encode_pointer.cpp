// SPDX-License-Identifier: MIT
#include <brood/wire/encode.hpp>

void send(brood::wire::Writer& out, int* pointer) { brood::wire::encode(out, pointer); }
