"""Presidio's analyzer behind its own HTTP API, with its recognisers of patterns and no language model.

    python presidio_server.py PORT

The request is read and the answer written as presidio-analyzer's own `app.py` does it: AnalyzerRequest in, a list of
RecognizerResult out. Instead of a spaCy model there is an empty English pipeline, so that nothing has to be downloaded.
"""

import json
import sys

import spacy
from flask import Flask, Response, jsonify, request
from presidio_analyzer import AnalyzerEngine, AnalyzerRequest, RecognizerRegistry
from presidio_analyzer.nlp_engine import NlpArtifacts, NlpEngine


class Words(NlpEngine):
    """Words and nothing else: enough for the context that patterns look at."""

    def __init__(self):
        self.nlp = spacy.blank("en")

    def load(self):
        pass

    def is_loaded(self):
        return True

    def process_text(self, text, language):
        doc = self.nlp(text)
        return NlpArtifacts(
            entities=[], tokens=doc, tokens_indices=[t.idx for t in doc],
            lemmas=[t.text.lower() for t in doc], nlp_engine=self, language=language,
        )

    def process_batch(self, texts, language, **_):
        for text in texts:
            yield text, self.process_text(text, language)

    def is_stopword(self, word, language):
        return self.nlp.vocab[word].is_stop

    def is_punct(self, word, language):
        return self.nlp.vocab[word].is_punct

    def get_supported_entities(self):
        return []

    def get_supported_languages(self):
        return ["en"]


registry = RecognizerRegistry()
registry.load_predefined_recognizers(languages=["en"])
registry.recognizers = [r for r in registry.recognizers if "Spacy" not in type(r).__name__]
engine = AnalyzerEngine(registry=registry, nlp_engine=Words(), supported_languages=["en"])
app = Flask("presidio")


@app.route("/analyze", methods=["POST"])
def analyze():
    try:
        asked = AnalyzerRequest(request.get_json())
        if not asked.text:
            raise Exception("No text provided")
        found = engine.analyze(
            text=asked.text, language=asked.language, correlation_id=asked.correlation_id,
            score_threshold=asked.score_threshold, entities=asked.entities,
            return_decision_process=asked.return_decision_process,
            ad_hoc_recognizers=asked.ad_hoc_recognizers, context=asked.context,
        )
        return Response(
            json.dumps(found, default=lambda o: o.to_dict(), sort_keys=True), content_type="application/json"
        )
    except Exception as error:  # as app.py does
        return jsonify(error=error.args[0]), 500


app.run(host="127.0.0.1", port=int(sys.argv[1]))
