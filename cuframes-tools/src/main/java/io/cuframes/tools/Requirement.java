// SPDX-License-Identifier: Apache-2.0
package io.cuframes.tools;

import io.cuframes.internal.doctor.Check;
import io.cuframes.internal.doctor.Finding;
import io.cuframes.internal.doctor.Outcome;
import java.util.List;

/** What a host has to be able to do for {@code cuframes doctor} to be content, in the words of the command line. */
enum Requirement {
    /** Frames in host memory; and where an NVIDIA driver is loaded, on the GPU, too. */
    AUTO,
    /** Frames in host memory. */
    HOST,
    /** Frames on the GPU, in either way. */
    CUDA,
    /** Frames on the GPU, shared by descriptor. */
    CUDA_VMM,
    /** Frames on the GPU, shared by IPC handle. */
    CUDA_IPC;

    /**
     * What a host was found to be able to do, by another process having read a frame.
     *
     * @param host over HOST
     * @param driver whether libcuda can be used
     * @param vmm over CUDA_VMM, on each GPU that the process sees
     * @param ipc over CUDA_IPC, on each GPU that the process sees
     */
    record Ability(boolean host, boolean driver, boolean vmm, boolean ipc) {
        static Ability of(List<Finding> findings) {
            return new Ability(
                    all(findings, Check.HOST),
                    all(findings, Check.DRIVER),
                    all(findings, Check.CUDA_VMM),
                    all(findings, Check.CUDA_IPC));
        }

        private static boolean all(List<Finding> findings, Check check) {
            List<Finding> those =
                    findings.stream().filter(each -> each.check() == check).toList();
            return !those.isEmpty() && those.stream().allMatch(each -> each.outcome() == Outcome.WORKS);
        }

        /** Whether frames can be shared on the GPU. */
        boolean cuda() {
            return vmm || ipc;
        }

        /** In a line. */
        String describe() {
            if (!host && !cuda()) {
                return "frames cannot be shared here";
            }
            String where = host ? "in host memory (HOST)" : "";
            if (cuda()) {
                String ways = vmm && ipc ? "CUDA_VMM, CUDA_IPC" : vmm ? "CUDA_VMM" : "CUDA_IPC";
                where += (host ? " and " : "") + "on the GPU (" + ways + ")";
            } else {
                where += driver ? "; not on the GPU, though there is a driver" : "; not on a GPU";
            }
            return "frames can be shared " + where;
        }
    }

    /** Whether that is enough. */
    boolean isMet(Ability ability) {
        return switch (this) {
            case AUTO -> ability.host() && (ability.cuda() || !ability.driver());
            case HOST -> ability.host();
            case CUDA -> ability.cuda();
            case CUDA_VMM -> ability.vmm();
            case CUDA_IPC -> ability.ipc();
        };
    }
}
