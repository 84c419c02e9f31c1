{#-
    Which version of a record stands in staging: of the rows that kept their contract, the newest by the source's own stamp where it has one, then by
    when we learned it, then by load. Ends a staging model, in place of its where clause.
-#}
{% macro latest_version(key, source_stamp=none) -%}
where _broken_rules is null
qualify row_number() over ({{ versions_newest_first(key, source_stamp) }}) = 1
{%- endmacro %}


{#- The versions of a record as `latest_version` orders them. Ingestion marks records deleted by the same order (ingestion/landing/vanished.py). -#}
{% macro versions_newest_first(key, source_stamp=none) -%}
    partition by {{ key }}
    order by {% if source_stamp %}{{ source_stamp }} desc nulls last, {% endif %}_known_from desc nulls last, _load_id desc nulls last
{%- endmacro %}


{#-
    Since when a Salesforce record is deleted; NULL where it is not. One that was seen in the bin has the deletion as its last change. One that was gone
    from the org when it was read whole lies in the lake as it last was, stamp included, and deleted: it is so since we know it.
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
