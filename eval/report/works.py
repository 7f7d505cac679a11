"""The works that our metrics cite, in full, by first author and year.

A citation in the code is short; a bibliography wants all authors and the place. What isn't here
(a third party's metric, say) gets as much of an entry as its citation gives.
"""

from __future__ import annotations

from typing import NamedTuple

JNMR = "Journal of New Music Research"
ISMIR = "International Society for Music Information Retrieval Conference"
NEURIPS = "Advances in Neural Information Processing Systems"


class Work(NamedTuple):
    """``place`` is the journal of an article, the conference of a paper, the publisher of a book,
    and empty for a preprint."""

    kind: str
    author: str
    title: str
    place: str = ""
    volume: str = ""
    number: str = ""
    pages: str = ""


def _paper(author: str, title: str, place: str) -> Work:
    return Work("inproceedings", author, title, place)


def _preprint(author: str, title: str) -> Work:
    return Work("misc", author, title)


WORKS: dict[tuple[str, int], Work] = {
    ("Böck", 2012): _paper(
        "Böck, Sebastian and Krebs, Florian and Schedl, Markus",
        "Evaluating the Online Capabilities of Onset Detection Methods", ISMIR),
    ("Chew", 2014): Work(
        "book", "Chew, Elaine",
        "Mathematical and Computational Modeling of Tonality: Theory and Applications", "Springer"),
    ("Chong", 2020): _paper(
        "Chong, Min Jin and Forsyth, David",
        "Effectively Unbiased FID and Inception Score and Where to Find Them",
        "IEEE/CVF Conference on Computer Vision and Pattern Recognition"),
    ("Chung", 2025): _preprint(
        "Chung, Yoonjin and others",
        "KAD: No More FAD! An Effective and Efficient Evaluation Metric for Audio Generation"),
    ("Conklin", 1995): Work(
        "article", "Conklin, Darrell and Witten, Ian H.",
        "Multiple Viewpoint Systems for Music Prediction", JNMR, "24", "1", "51--73"),
    ("Copet", 2023): _paper(
        "Copet, Jade and others", "Simple and Controllable Music Generation", NEURIPS),
    ("Davis", 1980): Work(
        "article", "Davis, Steven B. and Mermelstein, Paul",
        "Comparison of Parametric Representations for Monosyllabic Word Recognition in "
        "Continuously Spoken Sentences",
        "IEEE Transactions on Acoustics, Speech, and Signal Processing", "28", "4", "357--366"),
    ("Dong", 2018): _paper(
        "Dong, Hao-Wen and Hsiao, Wen-Yi and Yang, Li-Chia and Yang, Yi-Hsuan",
        "MuseGAN: Multi-track Sequential Generative Adversarial Networks for Symbolic Music "
        "Generation and Accompaniment", "AAAI Conference on Artificial Intelligence"),
    ("Dong", 2020): _paper(
        "Dong, Hao-Wen and Chen, Ke and McAuley, Julian and Berg-Kirkpatrick, Taylor",
        "MusPy: A Toolkit for Symbolic Music Generation", ISMIR),
    ("Dowson", 1982): Work(
        "article", "Dowson, D. C. and Landau, B. V.",
        "The Fréchet Distance between Multivariate Normal Distributions",
        "Journal of Multivariate Analysis", "12", "3", "450--455"),
    ("Ellis", 2007): Work(
        "article", "Ellis, Daniel P. W.", "Beat Tracking by Dynamic Programming", JNMR, "36", "1",
        "51--60"),
    ("Foote", 1999): _paper(
        "Foote, Jonathan", "Visualizing Music and Audio Using Self-Similarity",
        "ACM International Conference on Multimedia"),
    ("Foote", 2000): _paper(
        "Foote, Jonathan", "Automatic Audio Segmentation Using a Measure of Audio Novelty",
        "IEEE International Conference on Multimedia and Expo"),
    ("Friberg", 2002): Work(
        "article", "Friberg, Anders and Sundström, Andreas",
        "Swing Ratios and Ensemble Timing in Jazz Performance: Evidence for a Common Rhythmic "
        "Pattern", "Music Perception", "19", "3", "333--349"),
    ("Friedman", 2023): Work(
        "article", "Friedman, Dan and Dieng, Adji Bousso",
        "The Vendi Score: A Diversity Evaluation Metric for Machine Learning",
        "Transactions on Machine Learning Research"),
    ("Gretton", 2012): Work(
        "article",
        "Gretton, Arthur and Borgwardt, Karsten M. and Rasch, Malte J. and Schölkopf, Bernhard "
        "and Smola, Alexander", "A Kernel Two-Sample Test",
        "Journal of Machine Learning Research", "13", "", "723--773"),
    ("Gui", 2023): _preprint(
        "Gui, Azalea and Gamper, Hannes and Braun, Sebastian and Emmanouilidou, Dimitra",
        "Adapting Fréchet Audio Distance for Generative Music Evaluation"),
    ("Harte", 2006): _paper(
        "Harte, Christopher and Sandler, Mark and Gasser, Martin",
        "Detecting Harmonic Change in Musical Audio",
        "ACM Workshop on Audio and Music Computing Multimedia"),
    ("Herremans", 2016): _paper(
        "Herremans, Dorien and Chew, Elaine",
        "Tension Ribbons: Quantifying and Visualising Tonal Tension",
        "International Conference on Technologies for Music Notation and Representation"),
    ("Huron", 2006): Work(
        "book", "Huron, David",
        "Sweet Anticipation: Music and the Psychology of Expectation", "MIT Press"),
    ("Kilgour", 2019): _paper(
        "Kilgour, Kevin and Zuluaga, Mauricio and Roblek, Dominik and Sharifi, Matthew",
        "Fréchet Audio Distance: A Reference-Free Metric for Evaluating Music Enhancement "
        "Algorithms", "Interspeech"),
    ("Krumhansl", 1982): Work(
        "article", "Krumhansl, Carol L. and Kessler, Edward J.",
        "Tracing the Dynamic Changes in Perceived Tonal Organization in a Spatial Representation "
        "of Musical Keys", "Psychological Review", "89", "4", "334--368"),
    ("Krumhansl", 1990): Work(
        "book", "Krumhansl, Carol L.", "Cognitive Foundations of Musical Pitch",
        "Oxford University Press"),
    ("Kynkäänniemi", 2019): _paper(
        "Kynkäänniemi, Tuomas and Karras, Tero and Laine, Samuli and Lehtinen, Jaakko and Aila, "
        "Timo", "Improved Precision and Recall Metric for Assessing Generative Models", NEURIPS),
    ("Lartillot", 2008): _paper(
        "Lartillot, Olivier and Eerola, Tuomas and Toiviainen, Petri and Fornari, Jose",
        "Multi-Feature Modeling of Pulse Clarity: Design, Validation and Optimization", ISMIR),
    ("Lempel", 1976): Work(
        "article", "Lempel, Abraham and Ziv, Jacob", "On the Complexity of Finite Sequences",
        "IEEE Transactions on Information Theory", "22", "1", "75--81"),
    ("Longuet-Higgins", 1984): Work(
        "article", "Longuet-Higgins, H. C. and Lee, C. S.",
        "The Rhythmic Interpretation of Monophonic Music", "Music Perception", "1", "4",
        "424--441"),
    ("Mogren", 2016): _preprint(
        "Mogren, Olof",
        "C-RNN-GAN: Continuous Recurrent Neural Networks with Adversarial Training"),
    ("Naeem", 2020): _paper(
        "Naeem, Muhammad Ferjad and Oh, Seong Joon and Uh, Youngjung and Choi, Yunjey and Yoo, "
        "Jaejun", "Reliable Fidelity and Diversity Metrics for Generative Models",
        "International Conference on Machine Learning"),
    ("Oore", 2018): _preprint(
        "Oore, Sageev and Simon, Ian and Dieleman, Sander and Eck, Douglas and Simonyan, Karen",
        "This Time with Feeling: Learning Expressive Musical Performance"),
    ("Papadopoulos", 2014): _paper(
        "Papadopoulos, Alexandre and Roy, Pierre and Pachet, François",
        "Avoiding Plagiarism in Markov Sequence Generation",
        "AAAI Conference on Artificial Intelligence"),
    ("Pillutla", 2021): _paper(
        "Pillutla, Krishna and others",
        "MAUVE: Measuring the Gap Between Neural Text and Human Text Using Divergence Frontiers",
        NEURIPS),
    ("Raffel", 2014): _paper(
        "Raffel, Colin and McFee, Brian and Humphrey, Eric J. and Salamon, Justin and Nieto, "
        "Oriol and Liang, Dawen and Ellis, Daniel P. W.",
        "mir_eval: A Transparent Implementation of Common MIR Metrics", ISMIR),
    ("Székely", 2013): Work(
        "article", "Székely, Gábor J. and Rizzo, Maria L.",
        "Energy Statistics: A Class of Statistics Based on Distances",
        "Journal of Statistical Planning and Inference", "143", "8", "1249--1272"),
    ("Vallender", 1974): Work(
        "article", "Vallender, S. S.",
        "Calculation of the Wasserstein Distance Between Probability Distributions on the Line",
        "Theory of Probability and Its Applications", "18", "4", "784--786"),
    ("Wu", 2020): _paper(
        "Wu, Shih-Lun and Yang, Yi-Hsuan",
        "The Jazz Transformer on the Front Line: Exploring the Shortcomings of AI-Composed Music "
        "through Quantitative Measures", ISMIR),
    ("Wu", 2023): _preprint(
        "Wu, Shih-Lun and Donahue, Chris and Watanabe, Shinji and Bryan, Nicholas J.",
        "Music ControlNet: Multiple Time-Varying Controls for Music Generation"),
    ("Yang", 2020): Work(
        "article", "Yang, Li-Chia and Lerch, Alexander",
        "On the Evaluation of Generative Models in Music", "Neural Computing and Applications",
        "32", "9", "4773--4784"),
    ("Yeh", 2021): Work(
        "article", "Yeh, Yin-Cheng and others",
        "Automatic Melody Harmonization with Triad Chords: A Comparative Study", JNMR, "50", "1",
        "37--51"),
    ("von Rütte", 2023): _paper(
        "von Rütte, Dimitri and Biggio, Luca and Kilcher, Yannic and Hofmann, Thomas",
        "FIGARO: Controllable Music Generation using Learned and Expert Features",
        "International Conference on Learning Representations"),
}  # fmt: skip
PLACES = {"article": "journal", "inproceedings": "booktitle", "book": "publisher"}
