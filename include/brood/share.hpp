// SPDX-License-Identifier: MIT
#pragma once

// The door of the room `share`: values that any number of processes read in place.
#include <brood/share/shared.hpp>
#include <brood/share/shared_vector.hpp>
#include <brood/share/view.hpp>
