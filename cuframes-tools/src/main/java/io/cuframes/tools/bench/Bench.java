// SPDX-License-Identifier: Apache-2.0
package io.cuframes.tools.bench;

import com.google.gson.Gson;
import com.google.gson.JsonObject;
import io.cuframes.tools.Child;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Runs the cases of a plan, each part a process of its own that ends with this one. For one thread. */
public final class Bench {
    /** What starting the processes and CUDA in each may take; a busy machine takes its time. */
    private static final int START_SECONDS = 60;

    private static final long POLL_MILLIS = 20;

    private final BenchPlan plan;
    private final BenchProgress progress;
    private final Cores cores;
    private final long originNanos = System.nanoTime();
    private final long originMillis = System.currentTimeMillis();
    private final Map<Mode, String> leftOut = new LinkedHashMap<>();
    private final Map<String, String> failed = new LinkedHashMap<>();
    private String device;
    private int number;

    private Bench(BenchPlan plan, BenchProgress progress) throws IOException {
        this.plan = plan;
        this.progress = progress;
        this.cores = Cores.ofThisProcess();
    }

    /**
     * Measures. A mode that this machine cannot do is left out, and said; a case that fails is said too, and the others are run.
     *
     * @param plan what
     * @param progress is told, and asked whether to go on
     * @return what was measured, and what was not
     * @throws IOException if a process cannot be started
     * @throws IllegalArgumentException if processes cannot be pinned as asked; the message says why
     */
    public static BenchReport run(BenchPlan plan, BenchProgress progress) throws IOException {
        return new Bench(plan, progress).run();
    }

    private BenchReport run() throws IOException {
        if (plan.pin()) {
            int readers =
                    plan.cases().stream().mapToInt(BenchCase::subscribers).max().orElse(1);
            String reason = cores.whyNot(readers);
            if (reason != null) {
                throw new IllegalArgumentException(reason);
            }
        }
        probe();
        Map<String, CaseResult> results = new LinkedHashMap<>();
        List<BenchCase> cases = plan.cases().stream()
                .filter(each -> !leftOut.containsKey(each.mode()))
                .toList();
        for (int round = 1; round <= plan.rounds() && !progress.stopped(); round++) {
            for (BenchCase each : cases) {
                if (!progress.stopped() && !failed.containsKey(each.id())) {
                    progress.doing("round " + round + " of " + plan.rounds() + ": " + describe(each));
                    measure(each, results.computeIfAbsent(each.id(), id -> new CaseResult(each)));
                }
            }
        }
        results.values().removeIf(CaseResult::isEmpty);
        return new BenchReport(
                plan,
                Machine.here(cores, device),
                List.copyOf(results.values()),
                leftOut,
                failed,
                originNanos,
                originMillis,
                progress.stopped());
    }

    private static String describe(BenchCase each) {
        String readers = each.subscribers() + (each.subscribers() == 1 ? " subscriber" : " subscribers");
        String streams = each.streams() + (each.streams() == 1 ? " stream" : " streams");
        return each.name() + (each.mode().isRing() ? ", " + streams + ", " + readers : "");
    }

    private void measure(BenchCase each, CaseResult result) throws IOException {
        try {
            play(each, result);
        } catch (CaseFailure e) {
            if (!progress.stopped()) {
                progress.say("bench: " + describe(each) + " failed: " + e.getMessage());
                failed.put(each.id(), e.getMessage());
            }
        }
    }

    /** Asks a process of its own: this one stays without CUDA. */
    private void probe() throws IOException {
        if (plan.modes().stream().noneMatch(Mode::needsGpu)) {
            return;
        }
        progress.doing("looking for a GPU");
        RoleSpec spec = spec(RoleSpec.Role.PROBE, new BenchCase(Mode.FLOOR, null, 1, 1), 0);
        JsonObject found = null;
        String trouble = null;
        try (Child child = start("probe", List.of(), spec)) {
            await(List.of(child), spec.limitSeconds());
            found = child.result();
        } catch (CaseFailure e) {
            trouble = e.getMessage();
        } finally {
            BenchRole.cleanUp(spec);
        }
        if (found != null && found.has("device")) {
            device = found.get("device").getAsString();
        }
        for (Mode mode : plan.modes()) {
            String reason = trouble;
            if (found != null && found.getAsJsonObject("reasons").has(mode.word())) {
                reason = found.getAsJsonObject("reasons").get(mode.word()).getAsString();
            }
            if (mode.needsGpu() && reason != null) {
                progress.say("bench: left out " + mode.word() + ": " + reason);
                leftOut.put(mode, reason);
            }
        }
    }

    private RoleSpec spec(RoleSpec.Role role, BenchCase each, int index) {
        // All processes of a case meet in one directory and have one beginning of their keys.
        String key = "bench-" + ProcessHandle.current().pid() + "-" + number;
        return new RoleSpec(
                role,
                each.mode(),
                each.strategy(),
                each.subscribers(),
                each.streams(),
                index,
                plan.frames(),
                plan.warmup(),
                plan.rate(),
                plan.width(),
                plan.height(),
                plan.slots(),
                plan.device(),
                plan.readerDevice(),
                directory(key),
                key,
                originNanos,
                START_SECONDS + (int) Math.ceil(3 * plan.seconds()));
    }

    private static String directory(String key) {
        return Path.of(System.getProperty("java.io.tmpdir"), "cuframes-" + key).toString();
    }

    private Child start(String name, List<String> prefix, RoleSpec spec) throws IOException {
        Files.createDirectories(Path.of(spec.directory()));
        return new Child(name, prefix, BenchRole.class, List.of(new Gson().toJson(spec)));
    }

    private void play(BenchCase each, CaseResult result) throws IOException, CaseFailure {
        number++;
        List<Child> children = new ArrayList<>();
        RoleSpec first = spec(each.mode().isOneProcess() ? RoleSpec.Role.BOTH : RoleSpec.Role.PUBLISHER, each, 0);
        try {
            children.add(start(each.mode().isOneProcess() ? "process" : "publisher", prefix(each, 0), first));
            if (!each.mode().isOneProcess()) {
                for (int i = 0; i < each.subscribers(); i++) {
                    RoleSpec spec = spec(RoleSpec.Role.SUBSCRIBER, each, i);
                    children.add(start("subscriber " + (i + 1), prefix(each, i + 1), spec));
                }
            }
            await(children, first.limitSeconds());
            List<RoleResult> results = children.stream()
                    .map(child -> RoleResult.fromJson(child.result()))
                    .toList();
            RoleResult readers = results.get(results.size() - 1);
            results.subList(1, Math.max(1, results.size() - 1)).forEach(readers::add);
            result.add(results.get(0), readers);
        } finally {
            children.forEach(Child::close);
            BenchRole.cleanUp(first);
        }
    }

    private List<String> prefix(BenchCase each, int process) {
        // One process with two threads that spin has two cores, where there are two.
        return plan.pin() ? cores.prefix(process, each.mode().isOneProcess() ? 0 : each.subscribers()) : List.of();
    }

    /** Waits until all have ended well. */
    private void await(List<Child> children, int limitSeconds) throws CaseFailure {
        long begin = System.nanoTime();
        while (children.stream().anyMatch(Child::isAlive)) {
            for (Child child : children) {
                requireWell(child);
            }
            if (progress.stopped()) {
                throw new CaseFailure("stopped");
            }
            if (System.nanoTime() - begin > (limitSeconds + 5) * 1_000_000_000L) {
                throw new CaseFailure("not done within " + limitSeconds + " s");
            }
            progress.sleep(POLL_MILLIS);
        }
        for (Child child : children) {
            child.await(5000);
            requireWell(child);
            if (child.result() == null) {
                throw new CaseFailure(child.name() + " printed no result" + errors(child));
            }
        }
    }

    private static void requireWell(Child child) throws CaseFailure {
        if (!child.isAlive() && child.exitCode() != 0) {
            child.await(1000); // for what it printed
            throw new CaseFailure(child.name() + " ended with exit code " + child.exitCode() + errors(child));
        }
    }

    private static String errors(Child child) {
        List<String> lines = child.errors();
        return lines.isEmpty() ? "" : ": " + String.join("\n  ", lines);
    }
}
