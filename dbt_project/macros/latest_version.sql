{#-
    The version of a record that staging shows: of the rows that passed their contract, the newest by the source's own
    stamp (if any), then by known time, then by load. Ends a staging model in place of its where clause.
-#}
{% macro latest_version(key, source_stamp=none) -%}
where _broken_rules is null
qualify row_number() over ({{ versions_newest_first(key, source_stamp) }}) = 1
{%- endmacro %}


{#-
    The versions of a record in the order of `latest_version`. Ingestion uses the same order to mark records deleted
    (ingestion/landing/vanished.py).
-#}
{% macro versions_newest_first(key, source_stamp=none) -%}
    partition by {{ key }}
    order by {% if source_stamp %}{{ source_stamp }} desc nulls last, {% endif %}_known_from desc nulls last, _load_id desc nulls last
{%- endmacro %}


{#-
    When a Salesforce record was deleted; NULL if it was not. For a record seen in the recycle bin, its last change is
    the deletion. A record missing from a full re-read appears in the lake as it last was, stamp included, but deleted:
    its deletion dates from when we noticed.
-#}
{% macro salesforce_deleted_at() -%}
    case
        when not cast(IsDeleted as boolean) then null
        when
            lead(SystemModstamp) over ({{ versions_newest_first('Id', 'SystemModstamp') }}) = SystemModstamp
            and not cast(lead(IsDeleted) over ({{ versions_newest_first('Id', 'SystemModstamp') }}) as boolean)
            then _known_from
        else cast(LastModifiedDate as timestamp)
    end
{%- endmacro %}
