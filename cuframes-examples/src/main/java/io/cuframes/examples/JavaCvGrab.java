// SPDX-License-Identifier: Apache-2.0
package io.cuframes.examples;

import io.cuframes.javacv.CuframesFrameGrabber;
import java.io.File;
import java.io.IOException;
import javax.imageio.ImageIO;
import org.bytedeco.javacv.Frame;
import org.bytedeco.javacv.FrameGrabber;
import org.bytedeco.javacv.Java2DFrameConverter;

/**
 * A program for JavaCV, of which one line is for cuframes: it saves a picture of the camera. The grabber converts the frame to BGR on the CPU; what
 * needs the frame as it is on the GPU finds it in {@code Frame.opaque}. Arguments: the key, and the file to write, a PNG.
 */
public final class JavaCvGrab {
    private JavaCvGrab() {}

    public static void main(String[] args) throws IOException {
        try (FrameGrabber grabber = new CuframesFrameGrabber("cuframes://" + args[0] + "?timeout=5s"); // the line
                Java2DFrameConverter converter = new Java2DFrameConverter()) {
            grabber.start();
            Frame frame = grabber.grab(); // valid until the next grab; null at the end of the stream
            if (frame == null) {
                System.err.println("the stream has ended");
                return;
            }
            ImageIO.write(converter.convert(frame), "png", new File(args[1]));
            System.out.println(frame.imageWidth + "x" + frame.imageHeight + " at " + frame.timestamp + " us");
        }
    }
}
