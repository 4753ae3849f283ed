"""A transcriber of one's own that has the times of its words; this one counts the seconds."""

from streamer import Model


class Counting(Model):
    """Says a number for each second."""

    returns_words = True

    def infer(self, samples):
        count = max(1, round(len(samples) / self.sample_rate))
        return {"text": " ".join(map(str, range(1, count + 1)))}

    def infer_request(self, samples, request):
        output = self.infer(samples)
        if request.words:
            words = output["text"].split()
            each_s = len(samples) / self.sample_rate / len(words)
            output["words"] = [
                {
                    "text": word,
                    "start_time": number * each_s,
                    "end_time": (number + 1) * each_s,
                    "confidence": 1.0,
                }
                for number, word in enumerate(words)
            ]
        return output
