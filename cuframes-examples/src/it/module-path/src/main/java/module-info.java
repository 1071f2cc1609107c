// SPDX-License-Identifier: Apache-2.0
module com.example.first {
    requires io.cuframes;
}
