// SPDX-License-Identifier: Apache-2.0
package io.cuframes.examples.docs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.Set;
import java.util.TreeSet;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.w3c.dom.Document;
import org.w3c.dom.NodeList;

/** The bill of materials has every module that is published, and no other. */
class BillOfMaterialsTest {
    private static final Path ROOT = Path.of("..");

    @Test
    void listsWhatIsPublished() throws Exception {
        Set<String> published = new TreeSet<>();
        for (String module : texts(pom(""), "module")) {
            if (!module.equals("cuframes-bom")
                    && !texts(pom(module), "maven.deploy.skip").contains("true")) {
                published.add(module);
            }
        }
        Set<String> listed = texts(pom("cuframes-bom"), "artifactId");
        listed.removeIf(name -> name.equals("cuframes-bom") || name.startsWith("maven-"));
        assertTrue(published.contains("cuframes-core"), "the modules are where they were");
        assertEquals(published, listed);
    }

    private static Document pom(String module) throws Exception {
        return DocumentBuilderFactory.newInstance()
                .newDocumentBuilder()
                .parse(ROOT.resolve(module).resolve("pom.xml").toFile());
    }

    private static Set<String> texts(Document document, String element) {
        NodeList nodes = document.getElementsByTagName(element);
        Set<String> texts = new TreeSet<>();
        for (int i = 0; i < nodes.getLength(); i++) {
            texts.add(nodes.item(i).getTextContent().strip());
        }
        return texts;
    }
}
