/** What costs nothing, on the test rows; which of them there are depends on the task. */
export interface Baselines {
  /** Accuracy of the most frequent label, always. */
  readonly majority_class?: number;
  /** Logistic regression over counted words: accuracy, or micro F1 of one regression for each of several labels. */
  readonly bag_of_words?: number;
  /** Mean squared error of the training rows' mean, always. */
  readonly mean?: number;
  /** Perplexity of a language model's base without the adapter. */
  readonly base_perplexity?: number;
}
