"""The endpoint /find_directions, asked as programs do."""

import numpy as np
import pytest
from gradio_client.exceptions import AppError

pytestmark = pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")  # gradio_client leaves loops and sockets


def test_directions_from_measures_and_from_scores(client, served):
    found = client.predict(api_name="/find_directions", attributes="brightness, warmth", count=400)
    assert [one["name"] for one in found] == ["brightness", "warmth"]
    for one in found:
        assert np.linalg.norm(one["vector"]) == pytest.approx(1, abs=1e-5)
        assert served.app.finder.found(served.app.library.default, one["digest"]).name == one["name"]
        assert 0.5 < one["w"]["accuracy"] <= 1
    w = served.app.finder.pool(served.app.library.default, None).w.numpy()
    rows = "\n".join(f"{100_000 + i},{w[i, 3]:.6f}" for i in range(300))
    (one,) = client.predict(api_name="/find_directions", scorer="table", scores=rows, method="ridge")
    assert np.corrcoef(w @ np.array(one["vector"]), w[:, 3])[0, 1] > 0.97


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"attributes": "smile"}, "no score 'smile'"),
        ({"count": 10}, "from 200"),
        ({"count": "many"}, "number of samples"),
        ({"scorer": "table"}, "from a table"),
        ({"scorer": "table", "scores": "1,nan"}, "not a finite number"),
        ({"scorer": "table", "scores": "\n".join(f"{i},1.5" for i in range(90))}, "same for all 90"),
        ({"method": "tree"}, "svm, ridge"),
        ({"label": 3}, "no classes"),
        ({"model": "none"}, "There is no model"),
    ],
)
def test_mistakes_are_told(client, given, said):
    with pytest.raises(AppError, match=said):
        client.predict(api_name="/find_directions", **given)
