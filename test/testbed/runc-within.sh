#!/bin/sh
# An OCI runtime for machines that may not give all rights on: runs runc with what the container asks for cut down to what there is.
# Without it, such a machine starts no privileged container at all.
bundle='' process='' previous=''
for word in "$@"; do
  case $previous in
    --bundle | -b) bundle=$word ;;
    --process | -p) process=$word ;;
  esac
  previous=$word
done
limit=$(ulimit -Hn)
for file in "$bundle/config.json" "$process"; do
  [ -f "$file" ] || continue
  sed -i -E \
    -e 's/"CAP_SYS_RESOURCE",//g; s/,"CAP_SYS_RESOURCE"//g; s/"CAP_SYS_RESOURCE"//g' \
    -e 's/"oomScoreAdj":-[0-9]+/"oomScoreAdj":0/' \
    -e 's/"type":"RLIMIT_NOFILE","hard":[0-9]+,"soft":[0-9]+/"type":"RLIMIT_NOFILE","hard":'"$limit"',"soft":'"$limit"'/' \
    "$file"
done
exec runc "$@"
