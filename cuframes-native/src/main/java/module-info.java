// SPDX-License-Identifier: Apache-2.0

/** Foreign Function and Memory bindings of libcudart, libcuda and libc, and the structures of DLPack, as cuframes uses them; internal to cuframes. */
@SuppressWarnings("module") // io.cuframes and io.cuframes.javacv are compiled after this module and not known here
module io.cuframes.ffm {
    exports io.cuframes.ffm to
            io.cuframes,
            io.cuframes.javacv;
}
