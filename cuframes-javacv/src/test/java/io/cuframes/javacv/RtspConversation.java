// SPDX-License-Identifier: Apache-2.0
package io.cuframes.javacv;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** One client's connection to a {@link ScriptedCamera}: answers its requests (RFC 2326) until it goes. Its thread reads; others may write and close. */
final class RtspConversation implements AutoCloseable {
    private static final String SESSION = "Session: 0ca30001;timeout=60\r\n";
    private static final Pattern INTERLEAVED = Pattern.compile("interleaved=(\\d+)-");
    private static final Pattern CLIENT_PORT = Pattern.compile("client_port=(\\d+)-");

    private final ScriptedCamera camera;
    private final CameraScript script;
    private final Socket socket;
    private final OutputStream out;
    private final int number;
    private final CountDownLatch over = new CountDownLatch(1);
    private final Map<String, RtpCarrier> tracks = new LinkedHashMap<>();
    private volatile boolean silent;

    /** The camera's connection of this number, from 1. */
    RtspConversation(ScriptedCamera camera, Socket socket, int number) throws IOException {
        this.camera = camera;
        this.script = camera.script();
        this.socket = socket;
        this.out = socket.getOutputStream();
        this.number = number;
    }

    /** Answers until the client goes. */
    void converse() throws IOException {
        try (this) {
            InputStream in = new BufferedInputStream(socket.getInputStream());
            RtspRequest request = RtspRequest.read(in);
            while (request != null) {
                answer(request);
                request = RtspRequest.read(in);
            }
        }
    }

    private void answer(RtspRequest request) throws IOException {
        if (silent) {
            camera.note(number, request, 0);
        } else if (!request.method().equals("OPTIONS") && refusesPassword(request)) {
            reply(request, 401, (script.password.challenge() + "\r\n"), "");
        } else {
            switch (request.method()) {
                case "OPTIONS" -> reply(request, 200, "Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN\r\n", "");
                case "DESCRIBE" -> describe(request);
                case "SETUP" -> setUp(request);
                case "PLAY" -> play(request);
                case "TEARDOWN" -> {
                    reply(request, 200, SESSION, "");
                    endSession();
                }
                default -> reply(request, 200, SESSION, "");
            }
        }
    }

    private boolean refusesPassword(RtspRequest request) {
        return script.password != null && (number >= script.passwordRefusedFrom || !script.password.isIn(request));
    }

    private void describe(RtspRequest request) throws IOException {
        String redirect = script.redirectsToItself ? camera.url() : script.redirect;
        if (redirect != null) {
            reply(request, 302, "Location: " + redirect + "\r\n", "");
        } else if (number >= script.failFrom && number <= script.failTo) {
            reply(request, script.failStatus, "", "");
        } else {
            String tracksInstead = number >= script.describedFrom && number <= script.describedTo
                    ? CameraDescription.instead(script.description)
                    : CameraDescription.of(script, camera.clip());
            String type = "Content-Base: " + request.url() + "/\r\nContent-Type: application/sdp\r\n";
            reply(request, 200, type, tracksInstead);
        }
    }

    private void setUp(RtspRequest request) throws IOException {
        String track = request.url().substring(request.url().lastIndexOf('/') + 1);
        if (track.equals(CameraDescription.AUDIO) && script.audioRefused) {
            reply(request, 461, "", "");
        } else if (!camera.admits(this)) {
            reply(request, 453, "", "");
        } else {
            RtpCarrier carrier = carrier(request.header("transport"));
            synchronized (tracks) {
                tracks.put(track, carrier);
            }
            reply(request, 200, SESSION + "Transport: " + carrier.transport() + "\r\n", "");
        }
    }

    private RtpCarrier carrier(String transport) throws IOException {
        Matcher interleaved = INTERLEAVED.matcher(transport);
        if (interleaved.find()) {
            return new RtpCarrier.Interleaved(out, Integer.parseInt(interleaved.group(1)));
        }
        Matcher port = CLIENT_PORT.matcher(transport);
        if (!port.find()) {
            throw new IOException("a transport that no client of this camera asks for: " + transport);
        }
        return RtpCarrier.Datagrams.to(
                socket.getInetAddress(), Integer.parseInt(port.group(1)), socket.getLocalAddress());
    }

    private void play(RtspRequest request) throws IOException {
        String info = "RTP-Info: url=" + request.url() + CameraDescription.VIDEO + ";seq=" + script.firstSequence
                + ";rtptime=" + (script.firstTimestamp & 0xFFFF_FFFFL) + "\r\n";
        reply(request, 200, SESSION + "Range: npt=0.000-\r\n" + info, "");
        RtpCarrier video;
        RtpCarrier audio;
        synchronized (tracks) {
            video = tracks.get(CameraDescription.VIDEO);
            audio = tracks.get(CameraDescription.AUDIO);
        }
        if (audio != null && !script.audioSilent) {
            camera.run("audio " + number, new CameraAudio(script.audio, audio, over));
        }
        if (video != null) {
            camera.run("video " + number, new CameraFeed(camera, this, video, camera.newSession(), over));
        }
    }

    private void reply(RtspRequest request, int status, String headers, String body) throws IOException {
        camera.note(number, request, status);
        byte[] content = body.getBytes(StandardCharsets.UTF_8);
        write("RTSP/1.0 " + status + " " + reason(status) + "\r\nCSeq: " + request.header("cseq") + "\r\n" + headers
                + "Content-Length: " + content.length + "\r\n\r\n" + body);
    }

    private static String reason(int status) {
        return switch (status) {
            case 200 -> "OK";
            case 302 -> "Moved Temporarily";
            case 401 -> "Unauthorized";
            case 404 -> "Stream Not Found";
            case 453 -> "Not Enough Bandwidth";
            case 461 -> "Unsupported Transport";
            case 503 -> "Service Unavailable";
            default -> "Status";
        };
    }

    private void write(String text) throws IOException {
        synchronized (out) {
            out.write(text.getBytes(StandardCharsets.UTF_8));
        }
    }

    /** Answers nothing from now on. */
    void fallSilent() {
        silent = true;
    }

    /** Sends no more, and waits for the client to close. */
    void finish() throws IOException {
        socket.shutdownOutput();
    }

    /** Breaks the connection. */
    void reset() throws IOException {
        socket.setSoLinger(true, 0);
        close();
    }

    /** Asks the client to end, which servers may. */
    void requestTeardown() throws IOException {
        write("TEARDOWN " + camera.url() + " RTSP/1.0\r\nCSeq: 1\r\n" + SESSION + "\r\n");
    }

    private void endSession() {
        over.countDown();
        camera.left(this);
    }

    /** Ends the session and the connection. Closing twice closes once. */
    @Override
    public void close() throws IOException {
        endSession();
        synchronized (tracks) {
            tracks.values().forEach(RtpCarrier::close);
        }
        socket.close();
    }
}
