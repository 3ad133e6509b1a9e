// SPDX-License-Identifier: MIT
#pragma once

// All of brood.
#include <brood/base.hpp>
