"""The Python half of check-tokenizer.ts: answers {folder, cases} on stdin with what transformers makes of them."""

import json
import sys

from transformers import AutoTokenizer, logging

logging.set_verbosity_error()
asked = json.load(sys.stdin)
tokenizer = AutoTokenizer.from_pretrained(asked['folder'])
answers = []
for case in asked['cases']:
    options = dict(case['options'])
    for side in ('padding_side', 'truncation_side'):
        setattr(tokenizer, side, options.pop(side, 'right'))
    encoded = tokenizer(case['texts'], **options)
    ids = encoded['input_ids']
    answers.append({
        'inputIds': ids,
        'attentionMask': encoded['attention_mask'],
        'tokens': [tokenizer.convert_ids_to_tokens(row) for row in ids],
        'decoded': [tokenizer.decode(row) for row in ids],
        'withoutSpecial': [tokenizer.decode(row, skip_special_tokens=True) for row in ids],
    })
added = {str(index): token.content for index, token in tokenizer.added_tokens_decoder.items()}
if asked.get('resave'):
    tokenizer.save_pretrained(asked['resave'])
json.dump({
    'answers': answers,
    'class': type(tokenizer).__name__,
    'length': len(tokenizer),
    'padTokenId': tokenizer.pad_token_id,
    'modelMaxLength': tokenizer.model_max_length,
    'added': added,
}, sys.stdout)
