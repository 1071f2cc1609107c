// SPDX-License-Identifier: Apache-2.0
package io.cuframes.internal.doctor;

import io.cuframes.CuframesException;
import io.cuframes.Transport;
import io.cuframes.internal.connect.StreamKey;
import io.cuframes.internal.cuda.CudaDevice;
import io.cuframes.internal.os.NativeCalls;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Finds out what of cuframes works on this machine, for this user, by doing it: nothing is concluded from a version or a flag that could be tried
 * instead. What is made for that is removed again; a context stays on each device that was tried, as CUDA has it. One thread at a time.
 */
public final class Doctor {
    /** Who is told while it goes on: some of it takes seconds. */
    @FunctionalInterface
    public interface Listener {
        /** Something was found. */
        void found(Finding finding);

        /**
         * Something that may take a while begins.
         *
         * @param probe what it is
         * @param subject what it is done with; "" where there is one only
         */
        default void trying(Probe probe, String subject) {}
    }

    private final Machine machine;
    private final Path sharedMemory;
    private final Path socketDirectory;
    private final Map<String, String> environment;
    private final Listener listener;
    private final List<Finding> findings = new ArrayList<>();
    private SharingCheck sharing;

    /**
     * For this machine.
     *
     * @param socketDirectory the user's choice, or null for the usual places
     * @param listener told of each finding as it is made
     */
    public Doctor(Path socketDirectory, Listener listener) {
        this(new Machine(Path.of("/")), StreamKey.segmentDirectory(), socketDirectory, Map.of(), listener);
    }

    Doctor(
            Machine machine,
            Path sharedMemory,
            Path socketDirectory,
            Map<String, String> environment,
            Listener listener) {
        this.machine = machine;
        this.sharedMemory = sharedMemory;
        this.socketDirectory = socketDirectory;
        this.environment = environment;
        this.listener = listener;
    }

    /** Makes all checks; those that need what does not work are said to be untried. */
    public List<Finding> examine() {
        NativeCalls.require();
        HostChecks host = new HostChecks(sharedMemory, machine);
        boolean sealed = add(host.sealedMemory());
        boolean shared = add(host.sharedMemory());
        Finding directory = host.socketDirectory(socketDirectory);
        boolean reachable = add(directory);
        Path place = reachable ? Path.of(directory.subject()) : null;
        add(host.namespaces(place));
        add(host.wsl());
        sharing = new SharingCheck(place != null && Files.isDirectory(place) ? place : null, environment);
        Check stream = !shared ? Check.SHARED_MEMORY : reachable ? null : Check.SOCKET_DIRECTORY;
        share(Check.HOST, Transport.HOST, null, sealed ? stream : Check.SEALED_MEMORY);
        examineDevices(new DeviceChecks(machine), stream);
        return List.copyOf(findings);
    }

    /** Keeps and tells a finding; returns whether others may build on it. */
    private boolean add(Finding finding) {
        findings.add(finding);
        listener.found(finding);
        return finding.outcome() == Outcome.WORKS || finding.outcome() == Outcome.NOTE;
    }

    /**
     * Tries a whole stream.
     *
     * @param needed what it needs and does not work; null if nothing is amiss
     */
    private void share(Check check, Transport transport, CudaDevice device, Check needed) {
        if (needed == null) {
            trying(check, device);
        }
        add(
                needed == null
                        ? sharing.share(check, transport, device)
                        : Finding.untried(check, device == null ? "" : device.toString(), needed));
    }

    private void trying(Check check, CudaDevice device) {
        listener.trying(check, device == null ? "" : device.toString());
    }

    private void examineDevices(DeviceChecks checks, Check stream) {
        trying(Check.DRIVER, null);
        if (!add(checks.driver())) {
            untried("", Check.DRIVER, EnumSet.range(Check.RUNTIME, Check.CUDA_IPC));
            return;
        }
        boolean runtime = add(checks.runtime()) && findings.getLast().outcome() == Outcome.WORKS;
        List<CudaDevice> devices = List.of();
        try {
            devices = checks.devices();
        } catch (CuframesException e) {
            add(checks.noDevice(e.getMessage()));
        }
        for (CudaDevice device : devices) {
            examine(device, checks, stream, runtime);
        }
        checks.otherDevices(devices).forEach(this::add);
    }

    private void examine(CudaDevice device, DeviceChecks checks, Check stream, boolean runtime) {
        trying(Check.DEVICE, device);
        boolean usable = add(checks.device(device));
        add(checks.mig(device));
        if (!usable) {
            untried(device.toString(), Check.DEVICE, EnumSet.range(Check.STREAM_WRITES, Check.CUDA_IPC));
            return;
        }
        Check announcing = add(checks.streamWrites(device)) ? stream : Check.STREAM_WRITES;
        trying(Check.VMM, device);
        boolean vmm = add(checks.vmm(device));
        boolean readOnly = vmm && add(checks.readOnly(device));
        if (!vmm) {
            untried(device.toString(), Check.VMM, EnumSet.of(Check.READ_ONLY));
        }
        share(Check.CUDA_VMM, Transport.CUDA_VMM, device, !vmm ? Check.VMM : readOnly ? announcing : Check.READ_ONLY);
        share(Check.CUDA_IPC, Transport.CUDA_IPC, device, runtime ? announcing : Check.RUNTIME);
    }

    private void untried(String subject, Check needed, Set<Check> checks) {
        checks.forEach(check -> add(Finding.untried(check, subject, needed)));
    }
}
