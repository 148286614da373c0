"""Documents of the report: as Markdown, and as a page for a browser."""

from maskaae.report.markup import write_document

TEXT = """## Counts

| data | count |
| :-- | --: |
| a_b & c | **2** of 4 * m * n |

Capacity $m$ is *given*;
`n` < m.
"""


def test_document_is_written_as_it_is_and_as_a_page_with_the_same_words(tmp_path):
    write_document(TEXT, tmp_path / "t.md", tmp_path / "t.html")
    assert (tmp_path / "t.md").read_text() == TEXT
    page = (tmp_path / "t.html").read_text()
    for part in (
        "<h2>Counts</h2>",
        '<th class="l">data</th><th class="r">count</th>',
        '<td class="l">a_b &amp; c</td><td class="r"><b>2</b> of 4 * m * n</td>',
        "<p>Capacity <i>m</i> is <i>given</i>;\n<code>n</code> &lt; m.</p>",
    ):
        assert part in page
