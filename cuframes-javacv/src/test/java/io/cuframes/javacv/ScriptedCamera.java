// SPDX-License-Identifier: Apache-2.0
package io.cuframes.javacv;

import java.net.URI;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/**
 * A camera for tests: an RTSP server on the loopback interface that sends a clip as RTP, over TCP or UDP as the client asks, and misbehaves as its {@link
 * CameraScript} says. What shows of it, its accessors tell any thread at any time.
 */
final class ScriptedCamera implements AutoCloseable {
    private final CameraScript script;
    private final LoopbackListener listener;
    private final List<String> requests = new CopyOnWriteArrayList<>();
    private final AtomicInteger sessions = new AtomicInteger();
    private final AtomicLong framesSent = new AtomicLong();
    private final AtomicLong position = new AtomicLong();
    private RtspConversation holder;
    private int refusalsLeft;
    private volatile boolean changed;

    /** Begins the script of a camera that sends an Annex B file. */
    static CameraScript of(Path clip) {
        return new CameraScript(clip);
    }

    ScriptedCamera(CameraScript script) {
        this.script = script;
        this.listener = new LoopbackListener("camera", script.ipv6);
        listener.begin((client, number) -> new RtspConversation(this, client, number).converse());
    }

    /** Runs a part of a session on a thread of its own. */
    void run(String what, LoopbackListener.Task part) {
        listener.run(what, part);
    }

    CameraScript script() {
        return script;
    }

    /** What is announced and sent now. */
    AccessUnits clip() {
        return changed ? script.nextClip : script.clip;
    }

    /** Whether the first session goes on with the other codec at this frame. */
    boolean codecChanges(long frame) {
        if (frame == script.nextClipAfter && sessions.get() == 1) {
            changed = true;
        }
        return changed && sessions.get() == 1;
    }

    /** Where the next session begins in the clip. */
    long firstPosition() {
        return script.goesOn && position.get() > 0 ? clip().keyFrom(position.get()) : script.first;
    }

    /** Takes note of a frame sent: the next one is at this position. */
    void sent(long nextPosition) {
        position.set(nextPosition);
        framesSent.incrementAndGet();
    }

    void note(int connection, RtspRequest request, int status) {
        String path = URI.create(request.url()).getPath();
        requests.add(connection + " " + request.method() + " " + path + " " + (status == 0 ? "unanswered" : status));
    }

    /** Whether a connection may have the session, which it then has. */
    synchronized boolean admits(RtspConversation conversation) {
        if (!script.oneSession || holder == conversation) {
            return true;
        }
        if (holder != null) {
            return false;
        }
        if (refusalsLeft > 0) {
            refusalsLeft--;
            return false;
        }
        holder = conversation;
        return true;
    }

    /** A connection has no session any more. */
    synchronized void left(RtspConversation conversation) {
        if (holder == conversation) {
            holder = null;
            refusalsLeft = script.refusalsAfterSession;
        }
    }

    int newSession() {
        return sessions.incrementAndGet();
    }

    /** Where it listens, without a password. */
    String url() {
        return "rtsp://" + address();
    }

    /** The same with a user and password. */
    String url(String user, String password) {
        return "rtsp://" + user + ":" + password + "@" + address();
    }

    private String address() {
        return (script.ipv6 ? "[::1]:" : "127.0.0.1:") + listener.port() + "/cam";
    }

    /** How many connections came so far. */
    int connections() {
        return listener.connections();
    }

    /** How many times video was played so far. */
    int sessions() {
        return sessions.get();
    }

    /** How many frames were sent so far, in all sessions. */
    long framesSent() {
        return framesSent.get();
    }

    /** What was asked for and answered so far, such as {@code 1 SETUP /cam/video 200}: the connection's number, the request and the status. */
    List<String> requests() {
        return requests;
    }

    /** Ends all connections and threads. */
    @Override
    public void close() {
        listener.close();
    }
}
