/* SPDX-License-Identifier: Apache-2.0
 *
 * A program that has a JVM inside, as Python does with JPype: it starts one, has it export tensors, ends it, and goes on. What it does with the tensors is its
 * first argument:
 *
 *   late     they are deleted after the JVM has ended
 *   during   threads delete them while it ends
 *   never    they are not deleted
 *
 * usage: jvm_embedder late|during|never LIBJVM CLASS_PATH CLASS ARGUMENT
 */
#include <dlfcn.h>
#include <jni.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define THREADS 4

/* The beginning of a DLManagedTensorVersioned. */
typedef struct Tensor {
    uint32_t major, minor;
    void *manager_ctx;
    void (*deleter)(struct Tensor *self);
} Tensor;

typedef jint (*CreateJavaVM)(JavaVM **vm, void **env, void *args);

static jlong *tensors;
static jsize count;
static jsize next;
static int deleting;

static void delete_tensor(jlong address) {
    Tensor *tensor = (Tensor *) (intptr_t) address;
    void (*volatile *deleter)(Tensor *) = &tensor->deleter;
    (*deleter)(tensor);
}

static void *delete_some(void *unused) {
    (void) unused;
    for (;;) {
        jsize mine = __atomic_fetch_add(&next, 1, __ATOMIC_RELAXED);
        if (mine >= count) {
            return NULL;
        }
        delete_tensor(tensors[mine]);
        __atomic_fetch_add(&deleting, 1, __ATOMIC_RELAXED);
        usleep(100);
    }
}

static void fail(const char *what) {
    fprintf(stderr, "%s failed\n", what);
    exit(1);
}

static void export_tensors(JNIEnv *env, const char *class_name, const char *argument) {
    jclass type = (*env)->FindClass(env, class_name);
    jmethodID method = type == NULL ? NULL : (*env)->GetStaticMethodID(env, type, "export", "(Ljava/lang/String;)[J");
    jobject exported = NULL;
    if (method != NULL) {
        jvalue arguments[1];
        arguments[0].l = (*env)->NewStringUTF(env, argument);
        exported = (*env)->CallStaticObjectMethodA(env, type, method, arguments);
    }
    if ((*env)->ExceptionCheck(env) || exported == NULL) {
        (*env)->ExceptionDescribe(env);
        fail("export");
    }
    count = (*env)->GetArrayLength(env, exported);
    tensors = malloc((size_t) count * sizeof *tensors);
    if (tensors == NULL) {
        fail("malloc");
    }
    (*env)->GetLongArrayRegion(env, exported, 0, count, tensors);
}

int main(int argc, char **argv) {
    if (argc != 6) {
        fail("reading the arguments");
    }
    alarm(100); /* a thread that never returns from a deleter */
    void *library = dlopen(argv[2], RTLD_NOW | RTLD_GLOBAL);
    CreateJavaVM create = NULL;
    if (library != NULL) {
        *(void **) &create = dlsym(library, "JNI_CreateJavaVM");
    }
    if (create == NULL) {
        fail("loading libjvm");
    }
    char class_path[1 << 16];
    if (snprintf(class_path, sizeof class_path, "-Djava.class.path=%s", argv[3]) >= (int) sizeof class_path) {
        fail("the class path");
    }
    char native_access[] = "--enable-native-access=ALL-UNNAMED";
    char collector[] = "-XX:+UseSerialGC";
    JavaVMOption options[] = {{class_path, NULL}, {native_access, NULL}, {collector, NULL}};
    JavaVMInitArgs arguments = {JNI_VERSION_10, 3, options, JNI_FALSE};
    JavaVM *vm;
    JNIEnv *env;
    if (create(&vm, (void **) &env, &arguments) != JNI_OK) {
        fail("JNI_CreateJavaVM");
    }
    export_tensors(env, argv[4], argv[5]);

    int during = strcmp(argv[1], "during") == 0;
    pthread_t threads[THREADS];
    for (int i = 0; during && i < THREADS; i++) {
        if (pthread_create(&threads[i], NULL, delete_some, NULL) != 0) {
            fail("pthread_create");
        }
    }
    while (during && __atomic_load_n(&deleting, __ATOMIC_RELAXED) < 2 * THREADS) {
        usleep(100);
    }
    if ((*vm)->DestroyJavaVM(vm) != JNI_OK) {
        fail("DestroyJavaVM");
    }
    if (during && __atomic_load_n(&next, __ATOMIC_RELAXED) >= count) {
        fail("deleting while the JVM ends: all were deleted before");
    }
    for (int i = 0; during && i < THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
    for (jsize i = 0; strcmp(argv[1], "late") == 0 && i < count; i++) {
        delete_tensor(tensors[i]);
    }
    printf("done %d\n", (int) count);
    return 0;
}
